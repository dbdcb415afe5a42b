"""Who can be reached: applications, endpoints, users, segments, and files in and out."""
