"""From one percent-format source to the student's notebook, the instructor's, and the proofs."""
