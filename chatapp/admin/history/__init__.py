"""Everybody's conversations → lists and transcripts for those who may read them."""
