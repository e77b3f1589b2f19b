"""What a notebook shows: tables and bars. Each has a plain-text twin, which is exactly what Docker prints."""
