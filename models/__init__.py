"""Records: the only code that talks to MongoDB and to the bucket."""
