"""Firebase Cloud Messaging, HTTP v1, on this machine: one project, one service account."""
