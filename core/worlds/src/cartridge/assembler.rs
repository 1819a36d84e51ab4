//! An assembler for the cartridge's source, so that its bytes can be checked wherever Rust builds.
//!
//! It reads the part of the language of `dasm` that the source uses, and nothing else: what it
//! accepts must mean the same there. A name in the first column is a label, or a constant if `=`
//! follows; `org`, `.byte` and `.word` are the only directives besides `processor 6502`. Gaps are
//! filled with 255.

use std::collections::HashMap;

/// Why a source cannot be assembled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct AssemblerError {
    /// Line of the source, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

/// How an instruction names what it works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Nothing, or the accumulator.
    Implied,
    /// `#value`
    Immediate,
    /// An address below 256.
    Zero,
    /// `address,x`, below 256.
    ZeroX,
    /// Any address.
    Absolute,
    /// `address,x`
    AbsoluteX,
    /// `address,y`
    AbsoluteY,
    /// `(address),y`
    IndirectY,
    /// The target of a branch.
    Relative,
}

use Mode::{Absolute, AbsoluteX, AbsoluteY, Immediate, Implied, IndirectY, Relative, Zero, ZeroX};

/// Name, mode and code of the instructions that the source uses.
const INSTRUCTIONS: &[(&str, Mode, u8)] = &[
    ("and", Immediate, 0x29),
    ("asl", Implied, 0x0A),
    ("bcc", Relative, 0x90),
    ("bcs", Relative, 0xB0),
    ("beq", Relative, 0xF0),
    ("bit", Zero, 0x24),
    ("bit", Absolute, 0x2C),
    ("bmi", Relative, 0x30),
    ("bne", Relative, 0xD0),
    ("bpl", Relative, 0x10),
    ("bvc", Relative, 0x50),
    ("cld", Implied, 0xD8),
    ("cmp", Immediate, 0xC9),
    ("cmp", Zero, 0xC5),
    ("cpx", Immediate, 0xE0),
    ("dec", Zero, 0xC6),
    ("dey", Implied, 0x88),
    ("eor", Immediate, 0x49),
    ("inc", Zero, 0xE6),
    ("inx", Implied, 0xE8),
    ("jmp", Absolute, 0x4C),
    ("jsr", Absolute, 0x20),
    ("lda", Immediate, 0xA9),
    ("lda", Zero, 0xA5),
    ("lda", Absolute, 0xAD),
    ("lda", AbsoluteX, 0xBD),
    ("lda", AbsoluteY, 0xB9),
    ("lda", IndirectY, 0xB1),
    ("ldx", Immediate, 0xA2),
    ("ldx", Zero, 0xA6),
    ("ldy", Immediate, 0xA0),
    ("ldy", Absolute, 0xAC),
    ("lsr", Implied, 0x4A),
    ("lsr", Zero, 0x46),
    ("nop", Implied, 0xEA),
    ("ora", Zero, 0x05),
    ("ror", Zero, 0x66),
    ("rts", Implied, 0x60),
    ("sbc", Immediate, 0xE9),
    ("sbc", Zero, 0xE5),
    ("sec", Implied, 0x38),
    ("sei", Implied, 0x78),
    ("sta", Zero, 0x85),
    ("sta", ZeroX, 0x95),
    ("sta", Absolute, 0x8D),
    ("stx", Zero, 0x86),
    ("sty", Zero, 0x84),
    ("tax", Implied, 0xAA),
    ("txa", Implied, 0x8A),
    ("txs", Implied, 0x9A),
];

/// Values of names; `None` for a name that is defined further down, in the first pass.
type Value = Result<Option<u16>, String>;

/// The bytes of a source from its first `org` to its last byte.
///
/// # Errors
/// At the first line that is not understood.
pub fn assemble(source: &str) -> Result<Vec<u8>, AssemblerError> {
    let first = Pass::run(source, HashMap::new(), false)?;
    let second = Pass::run(source, first.names.clone(), true)?;
    // An address below 256 that is defined after its use has the long form in the first pass only.
    if first.bytes.len() == second.bytes.len() {
        Ok(second.bytes)
    } else {
        let what = "a constant below 256 is used before it is defined; define constants first";
        Err(AssemblerError { line: source.lines().count(), what: what.into() })
    }
}

/// One reading of the source.
struct Pass {
    /// Names of the pass before.
    known: HashMap<String, u16>,
    /// Names defined so far.
    names: HashMap<String, u16>,
    /// Whether every name must be known.
    last: bool,
    /// Address of the first byte; none before the first `org`.
    origin: Option<usize>,
    bytes: Vec<u8>,
}

impl Pass {
    fn run(source: &str, known: HashMap<String, u16>, last: bool) -> Result<Self, AssemblerError> {
        let mut pass = Self { known, names: HashMap::new(), last, origin: None, bytes: Vec::new() };
        for (index, line) in source.lines().enumerate() {
            pass.line(line).map_err(|what| AssemblerError { line: index + 1, what })?;
        }
        Ok(pass)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let code = line.split(';').next().unwrap_or_default();
        let (name, rest) = if code.starts_with(char::is_whitespace) {
            ("", code.trim())
        } else {
            let end = code.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(code.len());
            (&code[..end], code[end..].trim())
        };
        if let Some(constant) = rest.strip_prefix('=').filter(|_| !name.is_empty()) {
            let value = self.value(constant)?.ok_or("a constant needs known values")?;
            return self.define(name, value);
        }
        if !name.is_empty() {
            let address = self.address()?;
            self.define(name, address)?;
        }
        let (word, operand) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let operand = operand.trim();
        let word = word.to_ascii_lowercase();
        if !matches!(word.as_str(), "" | "processor" | "org") {
            self.address()?;
        }
        match word.as_str() {
            "" => Ok(()),
            "processor" if operand == "6502" => Ok(()),
            "processor" => Err(format!("`processor` is {operand}, and only 6502 is known")),
            "org" => self.org(operand),
            ".byte" => operand.split(',').try_for_each(|one| {
                let value = self.value(one)?;
                self.byte(value)
            }),
            ".word" => operand.split(',').try_for_each(|one| {
                let value = self.value(one)?.unwrap_or(0);
                self.bytes.extend(value.to_le_bytes());
                Ok(())
            }),
            word => self.instruction(word, operand),
        }
    }

    fn define(&mut self, name: &str, value: u16) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("`{name}` is not a name: letters, digits and _"));
        }
        match self.names.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(format!("`{name}` is defined twice")),
        }
    }

    /// Address of the next byte.
    fn address(&self) -> Result<u16, String> {
        let origin = self.origin.ok_or("there is no `org` before this line")?;
        u16::try_from(origin + self.bytes.len())
            .ok()
            .ok_or_else(|| "beyond address $FFFF".to_owned())
    }

    fn org(&mut self, operand: &str) -> Result<(), String> {
        let target = usize::from(self.value(operand)?.ok_or("`org` needs known values")?);
        let origin = *self.origin.get_or_insert(target);
        let here = origin + self.bytes.len();
        if target < here {
            return Err(format!("`org` goes back from ${here:04X} to ${target:04X}"));
        }
        self.bytes.resize(target - origin, 0xFF);
        Ok(())
    }

    fn byte(&mut self, value: Option<u16>) -> Result<(), String> {
        let value = value.unwrap_or(0);
        self.bytes.push(u8::try_from(value).ok().ok_or_else(|| format!("{value} is not a byte"))?);
        Ok(())
    }

    fn instruction(&mut self, word: &str, operand: &str) -> Result<(), String> {
        let code = |mode| INSTRUCTIONS.iter().find(|one| (one.0, one.1) == (word, mode));
        let lower = operand.to_ascii_lowercase();
        let indexed = |suffix| lower.strip_suffix(suffix).map(|rest| &operand[..rest.len()]);
        let (modes, text): (&[Mode], &str) = if operand.is_empty() {
            (&[Implied], "")
        } else if let Some(text) = operand.strip_prefix('#') {
            (&[Immediate], text)
        } else if let Some(text) = indexed("),y").and_then(|text| text.strip_prefix('(')) {
            (&[IndirectY], text)
        } else if let Some(text) = indexed(",y") {
            (&[AbsoluteY], text)
        } else if let Some(text) = indexed(",x") {
            (&[ZeroX, AbsoluteX], text)
        } else {
            (&[Relative, Zero, Absolute], operand)
        };
        let value = if text.is_empty() { Some(0) } else { self.value(text)? };
        let short = value.is_some_and(|value| value < 256);
        let fits = |mode: &&Mode| short || !matches!(mode, Zero | ZeroX);
        let found = modes.iter().filter(fits).find_map(|&mode| code(mode));
        let &(_, mode, code) = found.ok_or_else(|| {
            if INSTRUCTIONS.iter().any(|one| one.0 == word) {
                format!("`{word}` has no form with `{operand}` here")
            } else {
                format!("`{word}` is no instruction or directive")
            }
        })?;
        self.bytes.push(code);
        match mode {
            Implied => Ok(()),
            Immediate | Zero | ZeroX | IndirectY => self.byte(value),
            Absolute | AbsoluteX | AbsoluteY => {
                self.bytes.extend(value.unwrap_or(0).to_le_bytes());
                Ok(())
            }
            Relative => {
                let next = i32::from(self.address()?) + 1;
                let away = value.map_or(0, |target| i32::from(target) - next);
                let away = i8::try_from(away)
                    .ok()
                    .ok_or_else(|| format!("`{operand}` is {away} bytes away, too far"))?;
                self.bytes.extend(away.to_le_bytes());
                Ok(())
            }
        }
    }

    /// The value of an expression.
    fn value(&self, text: &str) -> Value {
        expression(text, &|name| {
            let value = self.names.get(name).or_else(|| self.known.get(name)).copied();
            if value.is_none() && self.last {
                return Err(format!("`{name}` is not defined"));
            }
            Ok(value)
        })
    }
}

/// The value of terms with + and - between them, or of the low (`<`) or high (`>`) byte of that.
fn expression(text: &str, name: &dyn Fn(&str) -> Value) -> Value {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('<') {
        return Ok(expression(rest, name)?.map(|value| value & 0xFF));
    }
    if let Some(rest) = text.strip_prefix('>') {
        return Ok(expression(rest, name)?.map(|value| value >> 8));
    }
    if let Some(at) = text.rfind(['+', '-']) {
        let (left, right) = (expression(&text[..at], name)?, expression(&text[at + 1..], name)?);
        let Some((left, right)) = left.zip(right) else { return Ok(None) };
        let sum = if text[at..].starts_with('+') {
            left.checked_add(right)
        } else {
            left.checked_sub(right)
        };
        return sum.map(Some).ok_or_else(|| format!("`{text}` is outside 0 to $FFFF"));
    }
    let number = |digits: &str, radix| {
        let value = u16::from_str_radix(digits, radix);
        value.map(Some).ok().ok_or_else(|| format!("`{text}` is not a number of 16 bits"))
    };
    match text.chars().next() {
        Some('$') => number(&text[1..], 16),
        Some('%') => number(&text[1..], 2),
        Some('0'..='9') => number(text, 10),
        Some(_) => name(text),
        None => Err("a value is missing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_has_its_code() {
        let source = "
        processor 6502
PORT    = $0280                 ; above 255
HERE    = $10+%1111-5
        org $F000
Start   lda #>Start
        sta HERE
        sta HERE,x
        sta PORT
        lda Table,x
        lda Table,y
        lda (HERE),y
        bit PORT
        lsr
        lsr HERE
        bne Start
        jmp After
Table   .byte 1,$2,%11,<After
        org $F028
After   .word Start,After
";
        #[rustfmt::skip]
        let expected = [
            0xA9, 0xF0,             // lda #>Start
            0x85, 0x1A,             // sta HERE
            0x95, 0x1A,             // sta HERE,x
            0x8D, 0x80, 0x02,       // sta PORT
            0xBD, 0x1C, 0xF0,       // lda Table,x
            0xB9, 0x1C, 0xF0,       // lda Table,y
            0xB1, 0x1A,             // lda (HERE),y
            0x2C, 0x80, 0x02,       // bit PORT
            0x4A,                   // lsr
            0x46, 0x1A,             // lsr HERE
            0xD0, 0xE7,             // bne Start
            0x4C, 0x28, 0xF0,       // jmp After
            1, 2, 3, 0x28,          // Table
            255, 255, 255, 255, 255, 255, 255, 255,
            0x00, 0xF0, 0x28, 0xF0, // After
        ];
        let found = assemble(source).expect("assembled");
        assert_eq!(found, expected);
    }

    #[test]
    fn an_error_names_line_and_reason() {
        let error = |source: &str| assemble(source).expect_err("refused").to_string();
        for (source, words) in [
            (" org $F000\n lxa #1", &["line 2", "`lxa`"][..]),
            (" org $F000\n lda", &["line 2", "`lda` has no form"]),
            (" org $F000\n stx $280", &["line 2", "`stx` has no form", "$280"]),
            (" org $F000\n lda #Nobody", &["line 2", "`Nobody` is not defined"]),
            (" org $F000\n lda #256", &["line 2", "256 is not a byte"]),
            (" org $F000\n lda #$12345", &["line 2", "$12345", "16 bits"]),
            (" org $F000\n .byte 1,", &["line 2", "a value is missing"]),
            (" org $F000\nA nop\nA nop", &["line 3", "`A` is defined twice"]),
            (" org $F000\nA-B nop", &["line 2", "`A-B` is not a name"]),
            (" org $F000\n nop\n org $F000", &["line 3", "goes back"]),
            ("A nop", &["line 1", "no `org`"]),
            ("A = B\nB = 1", &["line 1", "known values"]),
            (" org $F000\nA nop\n org $F100\n bne A", &["line 4", "too far"]),
            (" processor 68000", &["line 1", "`processor`"]),
        ] {
            let found = error(source);
            for word in words {
                assert!(found.contains(word), "`{source}`: {found}");
            }
        }
    }

    #[test]
    fn a_constant_below_256_must_be_defined_before_it_is_used() {
        let source = " org $F000\n lda Later\nLater = $80\n nop";
        let error = assemble(source).expect_err("two passes of different length").to_string();
        assert!(error.contains("before it is defined"), "{error}");
        let source = " org $F000\n lda #Later\nLater = $80";
        assert_eq!(assemble(source), Ok(vec![0xA9, 0x80]), "one form, one length");
    }
}
