"""What a model or a person gets to read of a server, and how suspicious one text of it is."""
