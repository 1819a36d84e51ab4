// Reads and writes postcard, the format of the messages between page and workers (https://postcard.jamesmunns.com).
// The format has neither names nor types, so both directions need the type: a pair of functions, made here.

const utf8 = { write: new TextEncoder(), read: new TextDecoder() };

/** Writes a whole number with seven bits in a byte, the lowest first. */
function putNumber(out, value) {
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
}

/** Bytes being read. */
class Input {
  #at = 0;

  constructor(bytes) {
    this.bytes = bytes;
  }

  take(length) {
    if (this.#at + length > this.bytes.length) throw new RangeError("the message ends too early");
    this.#at += length;
    return this.bytes.subarray(this.#at - length, this.#at);
  }

  number() {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const [byte] = this.take(1);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  }

  end() {
    if (this.#at !== this.bytes.length) throw new RangeError(`${this.bytes.length - this.#at} bytes too many`);
  }
}

const floats = (length, name) => ({
  write(out, value) {
    const view = new DataView(new ArrayBuffer(length));
    view[`set${name}`](0, value, true);
    out.push(...new Uint8Array(view.buffer));
  },
  read(input) {
    const bytes = input.take(length);
    return new DataView(bytes.buffer, bytes.byteOffset)[`get${name}`](0, true);
  },
});

export const f32 = floats(4, "Float32");
export const f64 = floats(8, "Float64");
export const unsigned = { write: putNumber, read: (input) => input.number() };
/** Signed numbers alternate: 0, -1, 1, -2, .. */
export const signed = {
  write: (out, value) => putNumber(out, value < 0 ? -2 * value - 1 : 2 * value),
  read(input) {
    const value = input.number();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  },
};
export const flag = {
  write: (out, value) => out.push(Number(value)),
  read: (input) => input.take(1)[0] === 1,
};
/** One byte each in a list of `u8`, which postcard does not write with seven bits. */
export const byte = { write: (out, value) => out.push(value), read: (input) => input.take(1)[0] };
export const bytes = {
  write(out, value) {
    putNumber(out, value.length);
    for (const byte of value) out.push(byte);
  },
  read: (input) => input.take(input.number()),
};
export const text = {
  write: (out, value) => bytes.write(out, utf8.write.encode(value)),
  read: (input) => utf8.read.decode(bytes.read(input)),
};

export const list = (type) => ({
  write(out, values) {
    putNumber(out, values.length);
    for (const value of values) type.write(out, value);
  },
  read: (input) => Array.from({ length: input.number() }, () => type.read(input)),
});

/** A list of this length. */
export const array = (type, length) => ({
  write: (out, values) => values.forEach((value) => type.write(out, value)),
  read: (input) => Array.from({ length }, () => type.read(input)),
});

export const option = (type) => ({
  write(out, value) {
    out.push(value == null ? 0 : 1);
    if (value != null) type.write(out, value);
  },
  read: (input) => (input.take(1)[0] ? type.read(input) : null),
});

/** Fields in the order of the Rust struct. */
export const struct = (fields) => ({
  write(out, value) {
    for (const [name, type] of Object.entries(fields)) {
      if (!(name in value)) throw new TypeError(`the field ${name} is missing`);
      type.write(out, value[name]);
    }
  },
  read: (input) => Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, type.read(input)])),
});

/**
 * Variants in the order of the Rust enum, as serde writes them in JSON: `"Reset"` if the variant has no fields (`null`
 * here), else `{ Step: fields }`.
 */
export const variants = (all) => ({
  write(out, value) {
    const name = typeof value === "string" ? value : Object.keys(value)[0];
    const index = Object.keys(all).indexOf(name);
    if (index < 0) throw new TypeError(`there is no variant ${name}`);
    putNumber(out, index);
    all[name]?.write(out, value[name]);
  },
  read(input) {
    const index = input.number();
    const found = Object.entries(all)[index];
    if (!found) throw new RangeError(`there is no variant ${index}`);
    const [name, type] = found;
    return type ? { [name]: type.read(input) } : name;
  },
});

export function encode(type, value) {
  const out = [];
  type.write(out, value);
  return Uint8Array.from(out);
}

export function decode(type, bytes) {
  const input = new Input(bytes);
  const value = type.read(input);
  input.end();
  return value;
}
