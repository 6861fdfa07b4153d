"""GitHub's GraphQL API over the same actions as REST."""
