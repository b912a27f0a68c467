"""Show that it is right: outputs against their own structure, and against what was known before."""
