"""Cloud Logging, as far as reading what services and jobs wrote needs it."""
