"""What `experiments.sample` draws, and the forms in which it is written."""
