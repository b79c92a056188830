//! The checked-in base checkpoint of the world, part of the program. `assets/world-base/made-by.toml` says which
//! command and seed remake it.

/// The files of a Hugging Face folder, in memory.
#[derive(Clone, Copy, Debug)]
pub struct BaseFiles {
    /// `config.json`
    pub config: &'static [u8],
    /// `generation_config.json`
    pub generation_config: &'static [u8],
    /// `tokenizer.json`
    pub tokenizer: &'static [u8],
    /// `tokenizer_config.json`, the chat template included
    pub tokenizer_config: &'static [u8],
    /// `model.safetensors`, f32
    pub weights: &'static [u8],
    /// `made-by.toml`: seed, command, tokens, loss and accuracy
    pub made_by: &'static str,
}

/// The base checkpoint.
pub const BASE: BaseFiles = BaseFiles {
    config: include_bytes!("../../../assets/world-base/config.json"),
    generation_config: include_bytes!("../../../assets/world-base/generation_config.json"),
    tokenizer: include_bytes!("../../../assets/world-base/tokenizer.json"),
    tokenizer_config: include_bytes!("../../../assets/world-base/tokenizer_config.json"),
    weights: include_bytes!("../../../assets/world-base/model.safetensors"),
    made_by: include_str!("../../../assets/world-base/made-by.toml"),
};
