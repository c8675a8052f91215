"""What every command does: its options, its errors and exit codes, how its process behaves."""
