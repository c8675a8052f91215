"""A trained model applied to a person's own pictures, of any size."""
