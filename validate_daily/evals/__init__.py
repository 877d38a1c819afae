"""Cases with a known answer on the practice cloud, and how well a model, or the rules alone, find it."""
