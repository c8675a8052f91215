"""What a person at the command line can mend."""


class UserError(Exception):
    """Something the person at the command line can mend; shown as one sentence, without a traceback."""


class FolderError(UserError):
    """The folder of a run cannot be written to any more: a full disk, a folder that is gone. Exit code 3."""
