"""Accounts: users with their names and passwords, who is signed in, who follows whom."""
