"""Speed and quality figures, each printed beside a yardstick measured in the same run."""
