"""Networks that read captions: encoders give one vector a caption, context networks one for each of its tokens."""
