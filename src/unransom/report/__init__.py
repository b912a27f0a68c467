"""One result document, and what people and programs read of it: text, HTML and JSON."""
