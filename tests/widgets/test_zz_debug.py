from morpholaw.study import Study


def test_x(trained_study):
    s=Study.open(trained_study); print(s.table1().iloc[:,[1,6,7]].to_string()); print(s.latents()[0].std(0), s.latents()[0][:3])
    for k in (2,3,4): t=s.classify(k); print(t["score"].describe())
    assert 0
