//! What a run leaves for others: tables and figures as data.
