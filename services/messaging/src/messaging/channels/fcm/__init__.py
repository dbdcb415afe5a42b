"""Push notifications over Firebase Cloud Messaging, HTTP v1."""
