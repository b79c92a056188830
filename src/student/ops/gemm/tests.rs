#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn noise(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7 + seed * 13) as f32 * 0.731).sin()).collect()
}

fn transpose(x: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    (0..cols * rows).map(|i| x[(i % rows) * cols + i / rows]).collect()
}

#[test]
fn products_of_every_layout_match_the_definition() {
    for (m, k, n) in [(1, 1, 1), (2, 3, 5), (7, 32, 33), (13, 64, 64), (100, 300, 70), (6, 700, 321)] {
        let (a, b) = (noise(m * k, 1), noise(k * n, 2));
        let (at, bt) = (transpose(&a, m, k), transpose(&b, k, n));
        let start = noise(m * n, 3);
        let lefts = [Mat::new(&a, m, k, k), Mat::new(&at, k, m, m).t()];
        let rights = [Mat::new(&b, k, n, n), Mat::new(&bt, n, k, k).t()];
        for (left, right, add) in
            lefts.iter().flat_map(|l| rights.iter().flat_map(move |r| [(l, r, false), (l, r, true)]))
        {
            let mut c = start.clone();
            matmul(&mut c, n, *left, *right, add);
            for i in 0..m {
                for j in 0..n {
                    let mut exact = if add { f64::from(start[i * n + j]) } else { 0.0 };
                    exact += (0..k).map(|p| f64::from(a[i * k + p]) * f64::from(b[p * n + j])).sum::<f64>();
                    assert!((f64::from(c[i * n + j]) - exact).abs() < 1e-3, "{m}x{k}x{n} at {i},{j}");
                }
            }
        }
    }
}

#[test]
fn a_row_has_the_same_bits_in_every_company() {
    let (k, n) = (300, 81);
    let (a, b) = (noise(200 * k, 4), noise(k * n, 5));
    let product = |from: usize, m: usize| {
        let mut c = vec![0.0; m * n];
        matmul(&mut c, n, Mat::new(&a[from * k..], m, k, k), Mat::new(&b, k, n, n), false);
        c
    };
    let all = product(0, 200);
    for (from, m) in [(0, 1), (5, 2), (9, 3), (17, 7), (60, 64), (190, 10)] {
        assert_eq!(product(from, m), all[from * n..(from + m) * n], "rows {from}..{}", from + m);
    }
}

/// In a pool of some threads.
fn pool(threads: usize, work: impl FnOnce() + Send) {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work);
}

#[test]
fn threads_and_layout_change_no_bit() {
    // Wide enough to be shared by columns, too narrow for it, and a few rows against a large matrix.
    for (m, k, n) in [(70, 300, 290), (1000, 300, 20), (3, 700, 801), (1, 1000, 600)] {
        let (a, b) = (noise(m * k, 6), noise(k * n, 7));
        let (at, bt) = (transpose(&a, m, k), transpose(&b, k, n));
        let panels = Panels::new(Mat::new(&b, k, n, n));
        let start = noise(m * (n + 3), 8);
        for add in [false, true] {
            let mut all = Vec::new();
            for threads in [1, 2, 3] {
                pool(threads, || {
                    for a in [Mat::new(&a, m, k, k), Mat::new(&at, k, m, m).t()] {
                        for b in [Mat::new(&b, k, n, n), Mat::new(&bt, n, k, k).t()] {
                            all.push(start.clone());
                            matmul(all.last_mut().unwrap(), n + 3, a, b, add);
                        }
                        all.push(start.clone());
                        matmul_panels(all.last_mut().unwrap(), n + 3, a, panels.all(), add);
                    }
                });
            }
            assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{m}x{k}x{n}, add {add}");
        }
    }
}
