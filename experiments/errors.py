"""What a person at the command line can mend."""


class UserError(Exception):
    """Something the person at the command line can mend; shown as one sentence, without a traceback."""
