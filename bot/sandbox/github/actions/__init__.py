"""What may happen, with its rules and the events that it fires; REST, GraphQL and the pages all come through here."""
