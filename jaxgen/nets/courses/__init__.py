"""Small networks that courses and textbooks train, without a paper of their own: one file a course."""
