//! What one rendering may make: an allowance in bytes, of which every text and list that a template makes takes its size.
//!
//! What is counted: operands of `~` and `+`, products of texts and lists, what calls, filters and slices give ([`rewrite`]
//! puts the counting there), what filters and methods are about to make where that may be much larger than what they are
//! given, and what is printed, also into `{% set %}` blocks and by macros. Counted is what is made in all, which memory
//! never exceeds; a list of texts takes room for its items, not for their letters again.
//!
//! [`rewrite`]: super::rewrite

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write};
use std::sync::Arc;

use minijinja::value::{Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, escape_formatter, filters};

use super::rewrite::{FACTOR, SIZE, SUM, TEXT};

/// Bytes that any rendering may make.
const ALLOWED: u64 = 64 << 20;
/// And so many more for each byte of the conversation.
const PER_BYTE: u64 = 64;
/// Bytes of a value in a list.
const ITEM: u64 = 32;
/// Most items of a list that is added to another: it is copied now and then.
const LONGEST: u64 = 1 << 20;
/// Widest field, deepest indentation, most columns that a template may ask for.
const WIDEST: u64 = 10_000;
/// Filters whose results may be much larger than what they are given.
const FORESEEN: [&str; 11] =
    ["join", "replace", "indent", "format", "batch", "slice", "split", "lines", "list", "string", "pprint"];

thread_local! {
    static LEFT: Cell<u64> = const { Cell::new(0) };
    static FACTORS: RefCell<Vec<Product>> = const { RefCell::new(Vec::new()) };
}

/// A product while its factors come.
#[derive(Clone, Copy)]
struct Product {
    bytes: u64,
    /// A text or a list is among the factors.
    made: bool,
}

/// Begins a rendering on this thread, of a conversation of so many bytes.
pub(super) fn begin(bytes: usize) {
    LEFT.set(ALLOWED.saturating_add(PER_BYTE.saturating_mul(bytes as u64)));
    FACTORS.with_borrow_mut(Vec::clear);
}

/// What is left of it.
pub(super) fn left() -> u64 {
    LEFT.get()
}

/// Takes bytes.
///
/// # Errors
/// Where fewer are left.
pub(super) fn take(bytes: u64) -> Result<(), Error> {
    let left = LEFT.get().checked_sub(bytes).ok_or_else(|| {
        refused(format!(
            "it makes more than {} MB of text; a template that grows without end is broken or hostile: take another",
            ALLOWED >> 20
        ))
    })?;
    LEFT.set(left);
    Ok(())
}

pub(super) fn refused(text: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, text)
}

/// Puts the counting into an environment.
pub(super) fn install(environment: &mut Environment<'static>) {
    environment.set_formatter(|out, state, value| {
        take(as_text(value))?;
        escape_formatter(out, state, value)
    });
    environment.add_filter(TEXT, |value: Value| take(as_text(&value)).map(|()| value));
    environment.add_filter(SIZE, |value: Value| take(size(&value)).map(|()| value));
    environment.add_filter(SUM, |value: Value| summand(&value).map(|()| value));
    environment.add_filter(FACTOR, |value: Value, place: u8, whole: bool| factor(&value, place, whole).map(|()| value));
    // A second environment has the filters as they are.
    let plain = Arc::new(Environment::new());
    for name in FORESEEN {
        let plain = plain.clone();
        environment.add_filter(name, move |args: Rest<Value>| {
            foreseen(name, &args)?;
            plain.empty_state().apply_filter(name, &args)
        });
    }
    // It calls others by their names, which are counted here.
    environment.add_filter("map", |state: &State, value: Value, args: Rest<Value>| {
        take(items(&value, 0))?;
        filters::map(state, value, args)
    });
    environment.set_unknown_method_callback(|state, value, method, args| {
        let all: Vec<Value> = match method {
            // The separator is the receiver.
            "join" => args.iter().chain([value]).cloned().collect(),
            _ => [value].into_iter().chain(args).cloned().collect(),
        };
        foreseen(method, &all)?;
        minijinja_contrib::pycompat::unknown_method_callback(state, value, method, args)
    });
}

/// Bytes of a value: of a text, or of a list's items. What is only walked through, such as a range, takes no room.
fn size(value: &Value) -> u64 {
    if value.kind() == ValueKind::Iterable { ITEM } else { whole_size(value) }
}

/// As [`size`], with everything that a walk would give.
fn whole_size(value: &Value) -> u64 {
    match value.as_str() {
        Some(text) => text.len() as u64,
        None => value.len().map_or(ITEM, |items| (items as u64).saturating_mul(ITEM)),
    }
}

/// A list that grows item by item is not made anew each time.
fn summand(value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) => take(text.len() as u64),
        None if value.len().is_some_and(|items| items as u64 > LONGEST) => {
            Err(refused(format!("it makes a list of more than {LONGEST} items")))
        }
        None => Ok(()),
    }
}

/// A factor of `*`, the first (0), one between (1) or the last (2). Where it is not the `whole` factor, that is unknown.
fn factor(value: &Value, place: u8, whole: bool) -> Result<(), Error> {
    let number = value.is_number();
    let bytes = match () {
        () if !whole => u64::MAX,
        () if number => value.as_i64().map_or(u64::MAX, |n| n.max(0).unsigned_abs()),
        () => whole_size(value),
    };
    let before = if place == 0 { None } else { FACTORS.with_borrow_mut(Vec::pop) };
    let before = before.unwrap_or(Product { bytes: 1, made: false });
    let product = Product { bytes: before.bytes.saturating_mul(bytes), made: before.made || !number };
    if place > 0 && product.made {
        take(product.bytes)?;
    }
    if place < 2 {
        FACTORS.with_borrow_mut(|factors| factors.push(product));
    }
    Ok(())
}

/// Bytes of a value as it is printed; counted no further than what is left.
fn as_text(value: &Value) -> u64 {
    value.as_str().map_or_else(|| counted(format_args!("{value}")), |text| text.len() as u64)
}

/// Bytes of a list's items as they are printed, with a joiner between them; counted no further than what is left.
fn items(value: &Value, joiner: u64) -> u64 {
    let mut sum = 0_u64;
    for item in value.try_iter().into_iter().flatten() {
        sum = sum.saturating_add(as_text(&item)).saturating_add(joiner);
        if sum > left() {
            break;
        }
    }
    sum
}

/// What a piece of a printed list counts: the small ones, brackets and commas, take time if not room.
pub(super) fn piece(bytes: usize) -> u64 {
    bytes.max(16) as u64
}

fn counted(text: fmt::Arguments<'_>) -> u64 {
    struct Counter(u64);
    impl Write for Counter {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.saturating_add(piece(text.len()));
            if self.0 > left() { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut counter = Counter(0);
    // Its only error is that enough was counted.
    let _ = counter.write_fmt(text);
    counter.0
}

/// The numbers among arguments, also those that are given by name.
fn numbers(args: &[Value]) -> Vec<u64> {
    let mut found = Vec::new();
    for arg in args.iter().skip(1) {
        let named = arg.try_iter().into_iter().flatten().filter(|_| arg.kind() == ValueKind::Map);
        let named = named.filter_map(|key| arg.get_item(&key).ok()?.as_i64());
        found.extend(arg.as_i64().into_iter().chain(named).map(i64::unsigned_abs));
    }
    found
}

/// What a filter or a method is about to make, where its result may be much larger than what it is given.
fn foreseen(name: &str, args: &[Value]) -> Result<(), Error> {
    let Some(value) = args.first() else { return Ok(()) };
    let text = |at: usize| args.get(at).and_then(Value::as_str).unwrap_or_default();
    let whole = value.as_str().map_or(ITEM, |text| text.len() as u64);
    let cost = match name {
        "join" => items(value, text(1).len() as u64),
        "string" => as_text(value),
        "list" => value.as_str().map_or_else(|| whole_size(value), |text| (text.len() as u64).saturating_mul(ITEM)),
        "replace" => {
            let times = whole / (text(1).len().max(1) as u64) + 1;
            whole.saturating_add(times.saturating_mul(text(2).len() as u64))
        }
        "split" | "lines" | "splitlines" => whole.saturating_mul(ITEM),
        "format" => {
            let digits = text(0).split(|c: char| !c.is_ascii_digit()).any(|run| run.len() > 4);
            let wide = numbers(args).into_iter().any(|n| n > WIDEST);
            if digits || (wide && (text(0).contains('*') || text(0).contains(":{"))) {
                return Err(refused(format!("it asks for a field wider than {WIDEST}")));
            }
            let largest = args.iter().skip(1).map(as_text).max().unwrap_or(0).saturating_add(WIDEST);
            whole.saturating_add(text(0).matches(['%', '{']).count() as u64 * largest)
        }
        "indent" | "batch" | "slice" => {
            let width = numbers(args).into_iter().max().unwrap_or(4);
            if width > WIDEST {
                return Err(refused(format!("{name} by more than {WIDEST}")));
            }
            let lines = if name == "indent" { text(0).lines().count() as u64 } else { ITEM };
            whole.saturating_add(lines.saturating_mul(width))
        }
        "pprint" => counted(format_args!("{value:#?}")),
        _ => return Ok(()),
    };
    take(cost)
}
