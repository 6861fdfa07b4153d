"""What may happen, with its rules and events; REST, GraphQL and the pages all come through here."""
