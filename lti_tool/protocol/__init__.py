"""The wire: names, token text, message shapes. The only package that imports PyLTI1p3."""
