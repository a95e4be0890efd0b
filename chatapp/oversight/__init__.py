"""What an administrator did, as events that nobody alters (`audit`), and what goes when it is over
(`retention`)."""
