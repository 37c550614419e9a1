"""What modules of Fortran hold beside the statements of their program; arrays lie as in C, the last axis first."""

from __future__ import annotations

HELPERS = {
    "quotient": """
elemental function quotient(a, count) result(part)
  integer, intent(in) :: a, count
  integer :: part
  part = a / count
end function quotient
""",
    "expm1": """
elemental function expm1(x) result(y)
  real(sp), intent(in) :: x
  real(sp) :: y
  y = real(exp(real(x, dp)) - 1.0_dp, sp)
end function expm1
""",
    "log1p": """
elemental function log1p(x) result(y)
  real(sp), intent(in) :: x
  real(sp) :: y
  y = real(log(1.0_dp + real(x, dp)), sp)
end function log1p
""",
    "product": """
pure subroutine product(a, rows, inner, b, columns, out)
  integer, intent(in) :: rows, inner, columns
  real(sp), intent(in) :: a(inner, rows), b(columns, inner)
  real(sp), intent(out) :: out(columns, rows)
  integer :: i, j
  do i = 1, rows
    out(:, i) = 0.0_sp
    do j = 1, inner
      out(:, i) = out(:, i) + a(j, i) * b(:, j)
    end do
  end do
end subroutine product
""",
    "correlate": """
pure subroutine correlate(x, kernel, n0, n1, n2, k0, k1, k2, s0, s1, s2, d0, d1, d2, p0, p1, p2, channels, filters, out)
  integer, intent(in) :: n0, n1, n2, k0, k1, k2, s0, s1, s2, d0, d1, d2, p0, p1, p2, channels, filters
  real(sp), intent(in) :: x(channels, n2, n1, n0), kernel(filters, channels, k2, k1, k0)
  real(sp), intent(out) :: out(filters, p2, p1, p0)
  integer :: a, b, c, i, j, k, l
  out = 0.0_sp
  do a = 1, p0
    do b = 1, p1
      do c = 1, p2
        do i = 1, k0
          do j = 1, k1
            do k = 1, k2
              do l = 1, channels
                out(:, c, b, a) = out(:, c, b, a) + kernel(:, l, k, j, i) &
                    * x(l, (c - 1) * s2 + (k - 1) * d2 + 1, (b - 1) * s1 + (j - 1) * d1 + 1, &
                        (a - 1) * s0 + (i - 1) * d0 + 1)
              end do
            end do
          end do
        end do
      end do
    end do
  end do
end subroutine correlate
""",
    "interpolate": """
pure function interpolate(x, corners, values, count) result(y)
  integer, intent(in) :: count
  real(sp), intent(in) :: x, corners(count), values(count)
  real(sp) :: y
  integer :: low, high, middle
  if (ieee_is_nan(x)) then
    y = x
  else if (x <= corners(1)) then
    y = values(1)
  else if (x >= corners(count)) then
    y = values(count)
  else
    low = 1
    high = count
    do while (high - low > 1)
      middle = (low + high) / 2
      if (x >= corners(middle)) then
        low = middle
      else
        high = middle
      end if
    end do
    y = values(low) + (values(high) - values(low)) * ((x - corners(low)) / (corners(high) - corners(low)))
  end if
end function interpolate
""",
    "sort_rows": """
pure subroutine sort_rows(x, rows, inner)
  integer, intent(in) :: rows, inner
  real(sp), intent(inout) :: x(inner, rows)
  real(sp) :: value
  integer :: row, i, j
  do row = 1, rows
    do i = 2, inner
      value = x(i, row)
      j = i
      do while (j > 1)
        if (.not. x(j - 1, row) > value) exit
        x(j, row) = x(j - 1, row)
        j = j - 1
      end do
      x(j, row) = value
    end do
  end do
end subroutine sort_rows
""",
    "take_rows": """
pure subroutine take_rows(table, rows, width, numbers, count, out)
  integer, intent(in) :: rows, width, count
  real(sp), intent(in) :: table(width, rows), numbers(count)
  real(sp), intent(out) :: out(width, count)
  integer :: i, row
  do i = 1, count
    row = 1
    if (numbers(i) >= 0.0_sp .and. numbers(i) < real(rows, sp)) row = int(numbers(i)) + 1
    out(:, i) = table(:, row)
  end do
end subroutine take_rows
""",
    "mean_distance": """
pure subroutine mean_distance(x, width, rows, count, neighbours, out)
  integer, intent(in) :: width, count, neighbours
  real(sp), intent(in) :: x(width), rows(width, count)
  real(sp), intent(out) :: out
  real(sp) :: nearest(neighbours), square
  integer :: i, j
  nearest = huge(square)
  do i = 1, count
    square = sum((x - rows(:, i))**2)
    j = neighbours
    do while (j > 1)
      if (.not. nearest(j - 1) > square) exit
      nearest(j) = nearest(j - 1)
      j = j - 1
    end do
    if (nearest(j) > square) nearest(j) = square
  end do
  out = sum(sqrt(nearest)) / real(neighbours, sp)
end subroutine mean_distance
""",
    "folds_end": """
pure subroutine folds_end(means, stds, folds, scores, masses, count, starts, pooled, share, bisections, out)
  integer, intent(in) :: folds, count, starts(folds + 1), bisections
  real(sp), intent(in) :: means(folds), stds(folds), scores(count), masses(count), pooled, share
  real(sp), intent(out) :: out
  real(sp) :: low, high, middle, held, size
  integer :: fold, step, first, last, half
  low = minval(means + pooled * stds)
  high = maxval(means + pooled * stds)
  do step = 1, bisections
    middle = 0.5_sp * (low + high)
    held = 0.0_sp
    do fold = 1, folds
      size = (middle - means(fold)) / stds(fold)
      first = starts(fold)
      last = starts(fold + 1)
      do while (first < last)
        half = (first + last) / 2
        if (scores(half + 1) <= size) then
          first = half + 1
        else
          last = half
        end if
      end do
      if (first > starts(fold)) held = held + masses(first)
    end do
    if (held >= share) then
      high = middle
    else
      low = middle
    end if
  end do
  out = high
end subroutine folds_end
""",
}
