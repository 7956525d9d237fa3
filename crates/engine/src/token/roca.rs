//! RSA moduli made by the library of CVE-2017-15361, whose primes can be found ("ROCA").

/// The odd primes up to 167 for which 65537 does not generate every residue. Such a modulus is a
/// power of 65537 modulo each of them; another one is by chance in fewer than one of 2^27 cases
/// (Nemec and others, "The Return of Coppersmith's Attack", 2017, section 3).
const PRIMES: [u32; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

/// True where the modulus (big endian) has the fingerprint.
pub(super) fn is_fingerprinted(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let residue = modulus.iter().fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        is_power_of_65537(residue, *prime)
    })
}

fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 1..prime {
        if power == residue {
            return true;
        }
        power = power * (65_537 % prime) % prime;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_powers_of_65537_have_the_fingerprint() {
        // 65537 to the power of 9, beside numbers next to it.
        let modulus = 65_537_u128.pow(7).to_be_bytes();
        assert!(is_fingerprinted(&modulus));
        for step in 1..1_000 {
            assert!(!is_fingerprinted(&(65_537_u128.pow(7) + step).to_be_bytes()), "{step}");
        }
    }
}
