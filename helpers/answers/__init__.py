"""Right and wrong answers, one module a lesson. A grader keeps these from the code it judges."""
