"""How dates are written in a language where Django's own way is not ours, as in the admin."""
