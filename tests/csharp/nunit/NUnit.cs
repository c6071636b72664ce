// Stand-ins for the parts of NUnit that the example of fixtures uses, and their runner: NUnit itself is not to be had here.

using System;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;

namespace NUnit.Framework
{
    [AttributeUsage(AttributeTargets.Class)]
    public sealed class SetUpFixtureAttribute : Attribute { }
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class OneTimeSetUpAttribute : Attribute { }
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class OneTimeTearDownAttribute : Attribute { }
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class TestAttribute : Attribute { }

    public sealed class EqualConstraint
    {
        internal EqualConstraint(object expected) { Expected = expected; }
        internal object Expected { get; }
    }

    public static class Is
    {
        public static EqualConstraint EqualTo(object expected) { return new EqualConstraint(expected); }
    }

    public static class Assert
    {
        public static void That(object actual, EqualConstraint constraint)
        {
            if (!Equals(actual, constraint.Expected))
            {
                throw new Exception("expected " + constraint.Expected + ", but it is " + actual);
            }
        }
    }

    internal static class Runner
    {
        private static int Main()
        {
            Type[] types = Assembly.GetExecutingAssembly().GetTypes();
            Type[] fixtures = types.Where(type => type.IsDefined(typeof(SetUpFixtureAttribute))).ToArray();
            object[] setUp = fixtures.Select(Activator.CreateInstance).ToArray();
            int passed = 0;
            try
            {
                foreach (object fixture in setUp)
                {
                    Call<OneTimeSetUpAttribute>(fixture);
                }
                foreach (Type type in types)
                {
                    passed += Call<TestAttribute>(type.IsAbstract || !Tests(type) ? null : Activator.CreateInstance(type));
                }
            }
            finally
            {
                foreach (object fixture in setUp)
                {
                    Call<OneTimeTearDownAttribute>(fixture);
                }
            }
            Console.WriteLine(passed + " passed");
            return 0;
        }

        private static bool Tests(Type type)
        {
            return type.GetMethods().Any(method => method.IsDefined(typeof(TestAttribute)));
        }

        /// Calls the object's methods with this attribute, and returns their number.
        private static int Call<T>(object instance)
            where T : Attribute
        {
            if (instance == null)
            {
                return 0;
            }
            MethodInfo[] methods = instance.GetType().GetMethods().Where(method => method.IsDefined(typeof(T))).ToArray();
            foreach (MethodInfo method in methods)
            {
                (method.Invoke(instance, null) as Task)?.GetAwaiter().GetResult();
            }
            return methods.Length;
        }
    }
}
