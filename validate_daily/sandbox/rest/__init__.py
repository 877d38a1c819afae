"""What gcloud asks, over HTTP: the state that gRPC tells, in the words of Cloud Run's v1 API. Reading only."""
