"""Mutations that change no result, each with the reason: nothing could make a test go red."""

REASONS: dict[tuple[str, str], str] = {}
