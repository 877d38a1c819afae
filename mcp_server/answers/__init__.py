"""What the tools answer with, one file an answer: its type is the tool's output schema."""
