"""Object stores of the operator's: S3, Google Cloud, Azure and web servers, and what is in them."""
