//! The generated world: small English word problems, each made from a program of arithmetic steps.
//!
//! Because the program is known, everything a teacher is asked for can be worked out by rule: a trace, the importance
//! and jumpiness of its lines, easier rewordings, and the first wrong line of a failed answer. A run on a bare
//! machine is then the whole method on real gradients, with no model and no network behind the teacher.
//!
//! | file | idea |
//! |---|---|
//! | [`dice`] | chance as a function of a seed and a path of names |
//! | [`words`] | the names and things that problems are about |
//! | [`program`] | steps `a op b = r` and where their operands come from |
//! | [`problem`] | a program told as English |
//! | [`bank_a`], [`bank_b`], [`bank_c`] | the training domain and two banks outside it |
//! | [`splits`] | train, dev, test, B and C, without a text in common |
//! | [`trace`] | plain and deliberately imperfect solutions, line by line |
//! | [`judge`] | importance and jumpiness of a line |
//! | [`diagnose`] | the first wrong line of an answer and what would put it right |
//! | [`corrupt`], [`pretrain`] | what the base checkpoint is trained on |
//! | [`vocabulary`] | the tokenizer's word list, and its files |
//! | [`base`] | the checked-in base checkpoint |

pub mod bank_a;
pub mod bank_b;
pub mod bank_c;
pub mod base;
pub mod corrupt;
pub mod diagnose;
pub mod dice;
pub mod judge;
pub mod pretrain;
pub mod problem;
pub mod program;
pub mod splits;
pub mod trace;
pub mod vocabulary;
pub mod words;

pub use problem::{Bank, Kind, Problem};
pub use program::{Op, Operand, Step};
pub use splits::{Split, World, WorldError, WorldSpec};
