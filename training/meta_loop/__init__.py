"""The meta loop: search, select, label, train, again (`hea loop`)."""
