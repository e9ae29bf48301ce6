"""What people do: one function a verb, one transaction each."""
