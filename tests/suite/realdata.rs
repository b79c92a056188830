//! The whole loop on questions from files, with an ordinary tokenizer and a teacher made of the questions' own solutions:
//! through both iterations, killed and resumed, with every question failed, reported and refused.

mod loops;
pub mod made;
mod plans;
