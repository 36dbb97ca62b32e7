//! The rounds for every vector width; what differs is a module of primitives (`add`, `rol`, `xor`, …).

/// Sixty-four rounds over the registers `$v` and the sixteen message vectors `$w`.
///
/// `$w` is a ring: slot j mod 16 holds Wⱼ until it is overwritten by Wⱼ₊₁₆, which round j+12 needs first.
macro_rules! rounds {
    ($v:ident, $w:ident) => {
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = $v;
        macro_rules! round {
            ($ff:ident, $gg:ident, $j:expr, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
                if $j >= 12 {
                    let x = xor3($w[($j + 4) % 16], $w[($j + 11) % 16], rol::<15>($w[($j + 1) % 16]));
                    let p1 = xor3(x, rol::<15>(x), rol::<23>(x));
                    $w[($j + 4) % 16] = xor3(p1, rol::<7>($w[($j + 7) % 16]), $w[($j + 14) % 16]);
                }
                let (now, later) = ($w[$j % 16], $w[($j + 4) % 16]);
                let a12 = rol::<12>($a);
                let ss1 = rol::<7>(add(add($e, splat(K[$j])), a12));
                $d = add(add(add($d, xor(now, later)), $ff($a, $b, $c)), xor(ss1, a12));
                $h = add(add(add($h, now), $gg($e, $f, $g)), ss1);
                $h = xor3($h, rol::<9>($h), rol::<17>($h));
                $b = rol::<9>($b);
                $f = rol::<19>($f);
            };
        }
        macro_rules! four {
            ($ff:ident, $gg:ident, $j:expr) => {
                round!($ff, $gg, $j, a b c d e f g h);
                round!($ff, $gg, $j + 1, d a b c h e f g);
                round!($ff, $gg, $j + 2, c d a b g h e f);
                round!($ff, $gg, $j + 3, b c d a f g h e);
            };
        }
        four!(xor3, xor3, 0);
        four!(xor3, xor3, 4);
        four!(xor3, xor3, 8);
        four!(xor3, xor3, 12);
        four!(majority, choose, 16);
        four!(majority, choose, 20);
        four!(majority, choose, 24);
        four!(majority, choose, 28);
        four!(majority, choose, 32);
        four!(majority, choose, 36);
        four!(majority, choose, 40);
        four!(majority, choose, 44);
        four!(majority, choose, 48);
        four!(majority, choose, 52);
        four!(majority, choose, 56);
        four!(majority, choose, 60);
        for (old, new) in $v.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *old = xor(*old, new);
        }
    };
}

pub(super) use rounds;
