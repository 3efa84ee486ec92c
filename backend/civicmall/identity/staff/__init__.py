"""Those who work here: accounts and roles, signing in with a second factor, four eyes over both."""
