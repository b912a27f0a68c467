"""The stages of a search: each takes a batch of candidates, a lane for each, and hands rows of words on."""
