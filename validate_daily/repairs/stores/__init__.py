"""The only place here that speaks to Google. Import what is in here when it is used: Google's packages are heavy."""
