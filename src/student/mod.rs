//! The transformer on burn, its weights, tokenizer and chat template.

pub mod ops;
