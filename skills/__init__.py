"""What an assistant knows: pages of markdown, and where they are."""
