"""Actions that have a host fetch something: files, answers of services, repositories; and whom it trusts."""
