//! Saving gives a folder that loads back identically; parameters keep their names, order and identity.

use std::fs;

use burn::module::Module;
use burn::tensor::{Device, bf16, f16};
use footbridge::student::{Decoder, Parameter, Student};
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};

use super::fixtures::{checkpoints, copy, cpu, expected, ids, json as read_json, name, student};

fn values(model: &Decoder) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    model.named_parameters().into_iter().map(|p| (p.name, p.value.dims(), p.value.to_vec().unwrap())).collect()
}

#[test]
fn a_saved_folder_loads_back_identically() {
    for folder in checkpoints() {
        let first = student(&folder);
        let home = tempfile::tempdir().unwrap();
        let saved = home.path().join("policy");
        first.save(&saved).unwrap();
        let second = student(&saved);
        assert_eq!(second.config, first.config, "{}", name(&folder));
        assert_eq!((second.end_of_turn.clone(), second.pad), (first.end_of_turn.clone(), first.pad));
        assert!(values(&second.model) == values(&first.model), "{}: numbers differ", name(&folder));
        for file in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"] {
            assert_eq!(fs::read(folder.join(file)).ok(), fs::read(saved.join(file)).ok(), "{}: {file}", name(&folder));
        }
        let config = |folder: &std::path::Path| read_json(&folder.join("config.json"));
        let (mut before, mut after) = (config(&folder), config(&saved));
        assert_eq!(after["dtype"], "float32");
        (before["dtype"], after["dtype"]) = (Value::Null, Value::Null);
        assert_eq!(before, after, "{}", name(&folder));

        // Saved over itself: whole again, byte for byte, and nothing is left beside it.
        let bytes = fs::read(saved.join("model.safetensors")).unwrap();
        second.save(&saved).unwrap();
        assert_eq!(fs::read(saved.join("model.safetensors")).unwrap(), bytes);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}

#[test]
fn what_is_written_has_the_names_and_shapes_of_the_original() {
    for folder in checkpoints().into_iter().filter(|f| f.join("model.safetensors").is_file()) {
        let home = tempfile::tempdir().unwrap();
        student(&folder).save(&home.path().join("out")).unwrap();
        let bytes = fs::read(home.path().join("out/model.safetensors")).unwrap();
        let original = fs::read(folder.join("model.safetensors")).unwrap();
        let (written, original) =
            (SafeTensors::deserialize(&bytes).unwrap(), SafeTensors::deserialize(&original).unwrap());
        assert_eq!(written.len(), original.len(), "{}", name(&folder));
        for (tensor, view) in original.iter() {
            let ours = written.tensor(tensor).unwrap();
            assert_eq!(ours.shape(), view.shape(), "{tensor}");
            if view.dtype() == Dtype::F32 {
                assert!(ours.data() == view.data(), "{}: {tensor} differs", name(&folder));
            }
        }
    }
}

#[test]
fn parameters_have_the_reference_names_in_the_reference_order() {
    for folder in checkpoints() {
        let expected = expected(&folder);
        let want: Vec<&String> =
            expected["sft"]["sample-mean"]["grad_norm_per_tensor"].as_object().unwrap().keys().collect();
        let student = student(&folder);
        let parameters = student.model.named_parameters();
        assert_eq!(parameters.iter().map(|p| &p.name).collect::<Vec<_>>(), want, "{}", name(&folder));
        let count: usize = parameters.iter().map(|p| p.value.dims().iter().product::<usize>()).sum();
        assert_eq!(student.model.parameter_count(), count);
    }
}

#[test]
fn mapping_parameters_keeps_device_and_trainability_and_saves_what_it_made() {
    let folder = &checkpoints()[0];
    let trained = Student::load(folder, &cpu().autodiff()).unwrap();
    let before = values(&trained.model);
    let moved = trained.model.clone().map_parameters(|name, value| {
        if name != "model.norm.weight" {
            return value;
        }
        let shifted = value.clone().flat() + 0.5;
        assert!(!shifted.is_autodiff());
        value.shaped(shifted)
    });
    assert!(moved.device().is_autodiff());
    for ((name, _, old), p) in before.iter().zip(moved.named_parameters()) {
        let new = p.value.to_vec().unwrap();
        let shift = if name == "model.norm.weight" { 0.5 } else { 0.0 };
        assert!(old.iter().zip(&new).all(|(a, b)| a + shift == *b), "{name}");
        let kept = match p.value {
            Parameter::Vector(t) => t.is_require_grad(),
            Parameter::Matrix(t) => t.is_require_grad(),
        };
        assert!(kept, "{name} is no longer trainable");
    }
    assert!(!moved.valid().device().is_autodiff());
    let home = tempfile::tempdir().unwrap();
    trained.with_model(moved.clone()).save(&home.path().join("moved")).unwrap();
    let back = trained.with_weights(&home.path().join("moved"), &cpu()).unwrap();
    assert!(values(&back.model) == values(&moved));
}

#[test]
fn a_loss_reaches_every_parameter() {
    for folder in checkpoints() {
        let student = Student::load(&folder, &cpu().autodiff()).unwrap();
        let device: Device = student.model.device();
        let row = ids(&expected(&folder)["sft"]["batch"][0]["ids"]);
        let count = row.len();
        let row: Vec<i64> = row.into_iter().map(i64::from).collect();
        let input = burn::tensor::Tensor::<1, burn::tensor::Int>::from_data(row.as_slice(), &device);
        let hidden = student.model.hidden(input.clone().reshape([1, count]), &student.rope(count));
        let grads = student.model.log_probs(hidden, input, 1.0).mean().neg().backward();
        for p in student.model.named_parameters() {
            let grad = p.value.grad(&grads).unwrap_or_else(|| panic!("{} has no gradient", p.name));
            assert_eq!(grad.dims(), p.value.dims(), "{}", p.name);
            assert!(grad.to_vec().unwrap().iter().any(|v| *v != 0.0), "{}", p.name);
        }
    }
}

/// An untied model in two bf16 shards: read through the index, saved as one file of single precision.
#[test]
fn shards_half_precision_and_an_untied_head_are_read() {
    for folder in checkpoints() {
        let copy = copy(&folder);
        let first = student(&folder);
        let mut config = read_json(&folder.join("config.json"));
        config["tie_word_embeddings"] = json!(false);
        config["dtype"] = json!("bfloat16");
        fs::write(copy.path().join("config.json"), config.to_string()).unwrap();
        split_into_shards(&first, copy.path());
        let second = student(copy.path());
        assert!(second.model.lm_head.is_some());
        let names: Vec<String> = second.model.named_parameters().into_iter().map(|p| p.name).collect();
        assert_eq!(names.last().unwrap(), "lm_head.weight");
        let before = values(&first.model);
        for (name, dims, got) in values(&second.model) {
            // The head is a copy of the embedding where the original had none.
            let twin = if first.config.tied && name == "lm_head.weight" { "model.embed_tokens.weight" } else { &name };
            let (_, want_dims, want) = before.iter().find(|(n, ..)| n == twin).unwrap();
            assert_eq!(&dims, want_dims);
            let gain = name.ends_with("norm.weight");
            let rounded = |v: f32| if gain { f16::from_f32(v).to_f32() } else { bf16::from_f32(v).to_f32() };
            assert!(want.iter().zip(&got).all(|(w, g)| rounded(*w) == *g), "{}: {name}", folder.display());
        }
        let home = tempfile::tempdir().unwrap();
        second.save(&home.path().join("one")).unwrap();
        let third = student(&home.path().join("one"));
        assert_eq!(read_json(&home.path().join("one/config.json"))["dtype"], "float32");
        assert!(values(&third.model) == values(&second.model));
    }
}

/// Writes `student`'s weights as bf16 (F16 for norms) into two shards with an index, the head beside the embedding.
fn split_into_shards(student: &Student, folder: &std::path::Path) {
    use safetensors::tensor::TensorView;
    let home = tempfile::tempdir().unwrap();
    student.save(&home.path().join("whole")).unwrap();
    let bytes = fs::read(home.path().join("whole/model.safetensors")).unwrap();
    let whole = SafeTensors::deserialize(&bytes).unwrap();
    type Stored = (String, Dtype, Vec<usize>, Vec<u8>);
    let mut shards: [Vec<Stored>; 2] = Default::default();
    for (name, view) in whole.iter() {
        let numbers = view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
        let (dtype, stored): (Dtype, Vec<u8>) = if name.ends_with("norm.weight") {
            (Dtype::F16, numbers.flat_map(|v| f16::from_f32(v).to_le_bytes()).collect())
        } else {
            (Dtype::BF16, numbers.flat_map(|v| bf16::from_f32(v).to_le_bytes()).collect())
        };
        let shard = usize::from(name.contains("layers.1"));
        shards[shard].push((name.to_owned(), dtype, view.shape().to_vec(), stored.clone()));
        if name == "model.embed_tokens.weight" && student.config.tied {
            shards[1].push(("lm_head.weight".to_owned(), dtype, view.shape().to_vec(), stored));
        }
    }
    let mut map = serde_json::Map::new();
    for (i, shard) in shards.iter().enumerate() {
        let file = format!("model-{:05}-of-00002.safetensors", i + 1);
        map.extend(shard.iter().map(|(name, ..)| (name.clone(), json!(file))));
        let views = shard.iter().map(|(n, d, s, b)| (n.clone(), TensorView::new(*d, s.clone(), b).unwrap()));
        fs::write(folder.join(file), safetensors::serialize(views, None).unwrap()).unwrap();
    }
    let _ = fs::remove_file(folder.join("model.safetensors"));
    fs::write(folder.join("model.safetensors.index.json"), json!({ "weight_map": map }).to_string()).unwrap();
}

#[test]
fn a_student_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>(_: &T) {}
    let student = student(&checkpoints()[0]);
    shared(&student);
    let text = "one text";
    let here = student.tokenizer.encode(text).unwrap();
    let there = std::thread::scope(|scope| scope.spawn(|| student.tokenizer.encode(text).unwrap()).join().unwrap());
    assert_eq!(here, there);
}
