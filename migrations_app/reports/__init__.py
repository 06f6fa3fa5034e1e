"""What a run brought over, as figures, words and files."""
