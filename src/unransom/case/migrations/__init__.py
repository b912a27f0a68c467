"""Numbered changes of the case database, applied in order; a file once released is never changed."""
