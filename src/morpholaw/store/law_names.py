"""Words that laws of more than two classes are spoken about with; needs neither torch nor pandas."""

ANOTHER = "another class"
"""What the law of one class among several tells that class from."""
