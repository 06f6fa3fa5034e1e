"""How far a job or a batch is, from stored columns alone."""
