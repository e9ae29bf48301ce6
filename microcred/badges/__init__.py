"""Open Badges: keys, documents, signatures, status, baking and art."""
